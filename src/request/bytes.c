/*
 * bytes.c
 *		Bytes as the API wants them.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "request/bytes.h"

#include <openssl/evp.h>

IotDataBytes
iotdata_bytes_copy(const char *bytes, size_t length)
{
	char	   *copy = palloc(length + 1);

	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return (IotDataBytes) {copy, length};
}

IotDataBytes
iotdata_bytes_from_text(const char *text, size_t length)
{
	char	   *utf8 = pg_server_to_any(text, (int) length, PG_UTF8);

	/* it returns its argument when there is nothing to convert */
	if (utf8 == text)
		return iotdata_bytes_copy(text, length);
	return (IotDataBytes) {utf8, strlen(utf8)};
}

IotDataBytes
iotdata_bytes_to_base64(IotDataBytes bytes)
{
	/* four characters for each three bytes, and a NUL */
	char	   *base64 = palloc((bytes.length + 2) / 3 * 4 + 1);
	int			length;

	length = EVP_EncodeBlock((unsigned char *) base64,
							 (const unsigned char *) bytes.data,
							 (int) bytes.length);
	return (IotDataBytes) {base64, length};
}
