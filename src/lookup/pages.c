/*
 * pages.c
 *		A list that comes in pages: which one is next.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lookup/pages.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

struct IotDataPages
{
	const IotDataRequest *request;	/* for the first page */
	IotDataBytes token;			/* of the next page; data NULL: none */
	bool		begun;
	HTAB	   *tokens;			/* hashes of the tokens so far; NULL: none yet */
};

IotDataPages *
iotdata_pages_create(const IotDataRequest *request)
{
	IotDataPages *pages = palloc0(sizeof(*pages));

	pages->request = request;
	return pages;
}

static HTAB *
create_token_set(MemoryContext context)
{
	HASHCTL		control = {
		.keysize = sizeof(uint64),
		.entrysize = sizeof(uint64),
		.hcxt = context
	};

	return hash_create("iotdata page tokens", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * Remember the token of the next page. One that was seen before would have us
 * go round for ever. Tokens are remembered as hashes of 64 bits: a list of 100,000
 * pages meets a false alarm once in billions of times.
 */
static void
note_token(IotDataPages *pages, const IotDataAnswer *answer, IotDataBytes token)
{
	MemoryContext context = GetMemoryChunkContext(pages);
	uint64		hash;
	bool		seen;

	if (pages->token.data != NULL)
		pfree(unconstify(char *, pages->token.data));
	pages->token.data = NULL;
	if (token.data == NULL)
		return;
	if (pages->tokens == NULL)
		pages->tokens = create_token_set(context);
	hash = hash_bytes_extended((const unsigned char *) token.data,
							   (int) token.length, 0);
	hash_search(pages->tokens, &hash, HASH_ENTER, &seen);
	if (seen)
		iotdata_answer_refuse(answer, "the same \"nextToken\" came twice");
	pages->token.data = MemoryContextStrdup(context, token.data);
	pages->token.length = token.length;
}

IotDataJsonValue
iotdata_pages_take(IotDataPages *pages, const IotDataAnswer *answer)
{
	IotDataJsonValue items = {.type = IOTDATA_JSON_MISSING};
	bool		first = !pages->begun;

	pages->begun = true;
	if (!answer->not_found)
	{
		items = iotdata_answer_items(answer);
		note_token(pages, answer, iotdata_answer_next_token(answer));
	}
	else if (!first)
		iotdata_answer_refuse(answer, "the next page is gone");
	return items;
}

const IotDataRequest *
iotdata_pages_next(const IotDataPages *pages)
{
	if (!pages->begun)
		return pages->request;
	if (pages->token.data == NULL)
		return NULL;
	return iotdata_request_next_page(pages->request, pages->token);
}
