/*
 * emulator_mqtt.c
 *		The emulator as a broker: up to four clients at once, the API beside
 *		them, time that goes on, networks that are lost.
 *
 * It is all run twice, with the bytes of the clients in the pieces that the
 * input says and in pieces of one byte: what clients and the API's callers
 * receive must be the same. What else must hold is in world.c.
 *
 * The input is a list of things that happen, each with a byte first: its
 * highest three bits say what, the lowest two which client.
 *	0 to 3	bytes of the client: a length of two bytes, then these
 *	4		time goes on; bits 2 to 4 say how long
 *	5		the client's network is lost
 *	6		a request: a length of two bytes, then its text (world.h)
 *	7		nothing, the round ends
 * With bit 4 set in any but 4, the round goes on; bits 2 and 3 are the size of
 * the pieces.
 */
#include "fuzz.h"
#include "world.h"

static const ApiOptions options = {
	.keys = {.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
	.allow_socket_information = true
};

typedef struct Script
{
	FuzzInput	input;
	bool		bytewise;
} Script;

static void
feed(const Script *script, unsigned client, unsigned pieces, const uint8_t *bytes, size_t length)
{
	static const size_t sizes[] = {SIZE_MAX, 1, 7, 64};
	size_t		piece = script->bytewise ? 1 : sizes[pieces];

	while (length > 0)
	{
		size_t		now = length < piece ? length : piece;

		/* once it is closed, the next bytes would be a new connection's */
		world_feed(client, bytes, now);
		if (world_clients[client].connection->state != MQTT_OPEN)
			return;
		bytes += now;
		length -= now;
	}
}

/* One thing that happens. Does the round go on? */
static bool
happen(Script *script)
{
	static const int64_t waits[] = {1, 400, 1500, 11000, 60000, 1900000, 4000000, 605000000};
	unsigned	what = fuzz_byte(&script->input);
	const uint8_t *bytes;
	size_t		length;

	switch (what >> 5)
	{
		case 4:
			world_wait(waits[what >> 2 & 7]);
			return false;
		case 5:
			world_lose(what & 3);
			break;
		case 6:
			length = fuzz_bytes(&script->input, fuzz_u16(&script->input), &bytes);
			world_request(bytes, length);
			break;
		case 7:
			break;
		default:
			length = fuzz_bytes(&script->input, fuzz_u16(&script->input), &bytes);
			feed(script, what & 3, what >> 2 & 3, bytes, length);
	}
	return (what & 16) != 0;
}

static bool
step(void *argument)
{
	Script	   *script = argument;

	while (fuzz_left(&script->input) > 0)
	{
		if (!happen(script))
			break;
	}
	return fuzz_left(&script->input) > 0;
}

static void
check_same(const Buffer *one, const Buffer *other)
{
	CHECK(one->length == other->length);
	CHECK(one->length == 0 || memcmp(one->data, other->data, one->length) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Script		script = {{data, data + size}, false};
	Script		bytewise = {{data, data + size}, true};
	Buffer		received[WORLD_CLIENTS];
	Buffer		answers;

	world_run(&options, step, &script);
	for (int i = 0; i < WORLD_CLIENTS; i++)
	{
		received[i] = world_clients[i].received;
		memset(&world_clients[i], 0, sizeof(world_clients[i]));
	}
	answers = world_answers;
	memset(&world_answers, 0, sizeof(world_answers));

	world_run(&options, step, &bytewise);
	for (int i = 0; i < WORLD_CLIENTS; i++)
	{
		check_same(&received[i], &world_clients[i].received);
		buffer_free(&received[i]);
	}
	check_same(&answers, &world_answers);
	buffer_free(&answers);
	world_forget();
	return 0;
}
