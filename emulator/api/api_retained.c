/*
 * api_retained.c
 *	  GetRetainedMessage, ListRetainedMessages.
 */
#include "api/api_retained.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_answer.h"
#include "base/text.h"
#include "broker/retained.h"
#include "broker/topic.h"

static void
add_base64(json_object *object, const char *name, const void *bytes, size_t length)
{
	char	   *text = text_base64_encode(bytes, length);

	json_object_object_add(object, name, json_object_new_string(text));
	free(text);
}

void
api_get_retained_message(ApiCall *call)
{
	const RetainedMessage *retained;
	json_object *object;
	char	   *user_properties;

	if (!topic_is_name(call->label))
	{
		api_fail(call->request, API_INVALID_REQUEST, "The topic is not valid");
		return;
	}
	retained = retained_find(call->label);
	if (retained == NULL)
	{
		api_fail(call->request, API_NOT_FOUND, "No retained message was found for the topic");
		return;
	}
	object = json_object_new_object();
	json_object_object_add(object, "topic", json_object_new_string(call->label));
	add_base64(object, "payload", retained->message->payload.data,
			   retained->message->payload.length);
	json_object_object_add(object, "qos", json_object_new_int((int) retained->message->qos));
	json_object_object_add(object, "lastModifiedTime", json_object_new_int64(retained->modified));
	user_properties = message_user_properties(retained->message);
	if (user_properties != NULL)
		add_base64(object, "userProperties", user_properties, strlen(user_properties));
	free(user_properties);
	api_answer(call->request, object);
}

static json_object *
summarize(const RetainedMessage *retained)
{
	json_object *item = json_object_new_object();
	const Message *message = retained->message;

	json_object_object_add(item, "topic", json_object_new_string(message->topic));
	json_object_object_add(item, "payloadSize",
						   json_object_new_int64((int64_t) message->payload.length));
	json_object_object_add(item, "qos", json_object_new_int((int) message->qos));
	json_object_object_add(item, "lastModifiedTime", json_object_new_int64(retained->modified));
	return item;
}

void
api_list_retained_messages(ApiCall *call)
{
	int64_t		limit;
	uint64_t	sequence;
	json_object *object,
			   *array;
	const RetainedMessage *retained;

	if (!api_page(call, "retained", &limit, &sequence))
		return;
	object = json_object_new_object();
	array = json_object_new_array();
	json_object_object_add(object, "retainedTopics", array);
	while ((retained = retained_after(sequence)) != NULL && limit-- > 0)
	{
		json_object_array_add(array, summarize(retained));
		sequence = retained->entry.sequence;
	}
	if (retained != NULL)
		api_add_next_token(object, "retained", sequence);
	api_answer(call->request, object);
}
