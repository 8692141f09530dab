/*
 * emulator_http.c
 *		The emulator's API: any request has one good answer, and one that must
 *		be signed and is not has nothing but a refusal.
 *
 * The input: a byte whose bit 0 asks for signatures, bit 1 lets the waiting
 * request be confirmed and bit 2 has a client that is away; then a request as
 * in world.h. There are three clients: "lamp" with MQTT 5, "old" with 3.1.1,
 * and "gone" that was there; and a retained message on "r/1".
 */
#include "fuzz.h"
#include "world.h"

static const char *const things[] = {"lamp"};

static const uint8_t lamp[] =
	"\x10\x11\0\4MQTT\5\2\0\x3c\0\0\4lamp"
	"\x82\x0c\0\1\0\0\6lamp/#\1";
static const uint8_t old[] =
	"\x10\x0f\0\4MQTT\4\2\0\x3c\0\3old"
	"\x82\x06\0\1\0\1#\1"
	"\x31\x07\0\3r/1ab";
static const uint8_t gone[] =
	"\x10\x10\0\4MQTT\4\0\0\x3c\0\4gone"
	"\x82\x08\0\1\0\3a/b\0"
	"\xe0\0";

typedef struct Script
{
	unsigned	options;
	const uint8_t *request;
	size_t		length;
	int			round;
	size_t		answers;		/* bytes of them after the request */
} Script;

/* Confirms all that the client can have been sent. */
static void
confirm(unsigned client)
{
	for (unsigned id = 1; id < 4; id++)
	{
		uint8_t		puback[] = {0x40, 2, 0, (uint8_t) id};

		world_feed(client, puback, sizeof(puback));
	}
}

static bool
step(void *argument)
{
	Script	   *script = argument;

	switch (script->round++)
	{
		case 0:
			world_feed(0, lamp, sizeof(lamp) - 1);
			world_feed(1, old, sizeof(old) - 1);
			world_feed(2, gone, sizeof(gone) - 1);
			return true;
		case 1:
			/* they are all well-formed */
			CHECK(world_clients[0].accepted && !world_clients[0].ended);
			CHECK(world_clients[1].accepted && !world_clients[1].ended);
			CHECK(world_clients[2].accepted && world_clients[2].connection == NULL);
			if (script->options & 4)
				world_lose(0);
			return true;
		case 2:
			world_request(script->request, script->length);
			return true;
		case 3:
			script->answers = world_answers.length;
			if ((script->options & 2) && world_clients[0].connection != NULL)
				confirm(0);
			else
				world_wait(16000);	/* longer than anything is waited for */
			return true;
		case 4:
			return true;
		default:
			/* a list of pages, and a client, can be asked for as before */
			world_request((const uint8_t *) "GET /retainedMessage?maxResults=1", 33);
			return false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, data + size};
	Script		script = {.options = fuzz_byte(&input)};
	ApiOptions	options = {
		.authenticate = (script.options & 1) != 0,
		.keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, NULL},
		.allow_socket_information = true,
		.things = things,
		.thing_count = 1
	};

	script.request = input.at;
	script.length = fuzz_left(&input);
	world_run(&options, step, &script);
	/* the answer of one that was not signed at all */
	if (options.authenticate && script.answers > 0 &&
		memmem(script.request, script.length, "AWS4-HMAC-SHA256", 16) == NULL)
		CHECK(strncmp(buffer_text(&world_answers), "403 ForbiddenException ", 23) == 0);
	world_forget();
	return 0;
}
