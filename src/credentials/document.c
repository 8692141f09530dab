/*
 * document.c
 *		Credentials in JSON, as several places give them out.
 */
#include "postgres.h"

#include "aws/iso8601.h"
#include "credentials/document.h"
#include "credentials/provider.h"
#include "utils/timestamp.h"

static void
free_document(void *arg)
{
	iotdata_json_free(arg);
}

static IotDataJsonValue
parse(const char *text, size_t length, const char **why)
{
	MemoryContextCallback *callback = palloc(sizeof(*callback));
	IotDataJson *document = iotdata_json_parse(text, length, why);

	if (document == NULL)
		return (IotDataJsonValue) {.type = IOTDATA_JSON_MISSING};
	callback->func = free_document;
	callback->arg = document;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return iotdata_json_root(document);
}

/* A member that is a string; NULL when it is missing or null. */
static const char *
string_member(IotDataJsonValue root, const char *name, const char **why)
{
	IotDataJsonValue member = iotdata_json_member(root, name);

	if (member.type == IOTDATA_JSON_STRING)
		return member.string;
	if (member.type != IOTDATA_JSON_MISSING && member.type != IOTDATA_JSON_NULL)
		*why = psprintf("\"%s\" is not a string.", name);
	return NULL;
}

const char *
iotdata_credentials_check(IotDataCredentialsValues *values, const char *expiration)
{
	int64		seconds;

	if (values->access_key_id == NULL || !iotdata_credentials_is_header_safe(values->access_key_id))
		return "It has no access key that could be used.";
	if (values->secret_access_key == NULL || !iotdata_credentials_is_header_safe(values->secret_access_key))
		return "It has no secret access key that could be used.";
	if (values->session_token != NULL && !iotdata_credentials_is_header_safe(values->session_token))
		return "It has a session token that cannot be used.";
	if (expiration == NULL)
		return NULL;
	if (!iotdata_iso8601_parse(expiration, &seconds))
		return "Its expiration is not a time.";
	values->expire_at = time_t_to_timestamptz((pg_time_t) seconds);
	return values->expire_at > GetCurrentTimestamp() ? NULL : "It has expired.";
}

const char *
iotdata_credentials_document(const char *text, size_t length, const char *token,
							 IotDataCredentialsValues *values, IotDataJsonValue *root)
{
	const char *why = NULL;
	const char *expiration;

	*root = parse(text, length, &why);
	if (why != NULL)
		return psprintf("It is not JSON: %s.", why);
	if (root->type != IOTDATA_JSON_OBJECT)
		return "It is not a JSON object.";
	values->access_key_id = string_member(*root, "AccessKeyId", &why);
	values->secret_access_key = string_member(*root, "SecretAccessKey", &why);
	values->session_token = string_member(*root, token, &why);
	if (values->session_token != NULL && values->session_token[0] == '\0')
		values->session_token = NULL;
	expiration = string_member(*root, "Expiration", &why);
	return why != NULL ? why : iotdata_credentials_check(values, expiration);
}
