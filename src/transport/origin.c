/*
 * origin.c
 *		Where connections lead to, and by which way: those to one origin are as
 *		good as each other.
 */
#include "postgres.h"

#include "transport/origin.h"
#include "transport/proxy.h"

static dlist_head origins = DLIST_STATIC_INIT(origins);

static IotDataOrigin *
create_origin(bool https, const char *authority, const char *ca_file,
			  const char *proxy)
{
	size_t		authority_size = strlen(authority) + 1;
	size_t		ca_file_size = strlen(ca_file) + 1;
	size_t		proxy_size = strlen(proxy) + 1;
	IotDataOrigin *origin = calloc(1, offsetof(IotDataOrigin, texts) +
								   authority_size + ca_file_size + proxy_size);
	char	   *text;

	if (origin == NULL)
		return NULL;
	text = origin->texts;
	origin->https = https;
	origin->authority = memcpy(text, authority, authority_size);
	text += authority_size;
	origin->ca_file = memcpy(text, ca_file, ca_file_size);
	text += ca_file_size;
	origin->proxy = memcpy(text, proxy, proxy_size);
	dlist_push_head(&origins, &origin->node);
	return origin;
}

IotDataOrigin *
iotdata_origin_find(const IotDataEndpoint *endpoint, const char *ca_file)
{
	const char *proxy = iotdata_proxy_find(endpoint);
	IotDataOrigin *origin;
	dlist_iter	iter;

	dlist_foreach(iter, &origins)
	{
		origin = dlist_container(IotDataOrigin, node, iter.cur);
		if (origin->https == endpoint->https &&
			strcmp(origin->authority, endpoint->authority) == 0 &&
			strcmp(origin->ca_file, ca_file) == 0 &&
			strcmp(origin->proxy, proxy) == 0)
		{
			origin->references++;
			return origin;
		}
	}
	origin = create_origin(endpoint->https, endpoint->authority, ca_file, proxy);
	if (origin != NULL)
		origin->references = 1;
	return origin;
}

void
iotdata_origin_reference(IotDataOrigin *origin)
{
	origin->references++;
}

void
iotdata_origin_leave(IotDataOrigin *origin)
{
	if (--origin->references > 0)
		return;
	dlist_delete(&origin->node);
	free(origin);
}
