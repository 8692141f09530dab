/*
 * world.h
 *		The emulator without sockets: its clock, its chance and its network are
 *		the fuzz target's.
 *
 * The emulator's sources are compiled with clock_gettime, getrandom, ppoll and
 * epoll_wait under other names (see the Makefile), which are defined here. Its
 * own loop runs: one round of it is one call of the target's step function,
 * the timers that are due, and the work that was put off. MQTT connections
 * have no socket; bytes are fed to them, and what they answer is checked here
 * and kept.
 */
#ifndef IOTDATA_TEST_WORLD_H
#define IOTDATA_TEST_WORLD_H

#include <time.h>

#include "api/api.h"
#include "base/memory.h"
#include "wire/mqtt_connection.h"

#define FUZZ_TIME ((time_t) 1780315200) /* 2026-06-01 12:00:00 UTC */

#define WORLD_CLIENTS 4

typedef struct WorldClient
{
	MqttConnection *connection; /* NULL: closed by the emulator, or not open */
	Buffer		received;		/* of all its connections */
	size_t		checked;		/* so much of it was looked at */
	unsigned	version;		/* of the connection, once it was accepted */
	bool		accepted;		/* CONNACK said so */
	bool		ended;			/* CONNACK or DISCONNECT said so */
} WorldClient;

extern WorldClient world_clients[WORLD_CLIENTS];

/*
 * Run the emulator from its begin to its end, with "step" called once a round
 * until it returns false.
 */
extern void world_run(const ApiOptions *options, bool (*step) (void *argument),
					  void *argument);

/* From within a step: time goes on, by milliseconds. */
extern void world_wait(int64_t milliseconds);

/* From within a step: bytes of a client, a connection is opened for the first. */
extern void world_feed(unsigned client, const uint8_t *bytes, size_t length);

/* From within a step: the network of a client is gone. */
extern void world_lose(unsigned client);

/*
 * From within a step: a request of the API, "METHOD TARGET", then lines of
 * headers "name: value", an empty line and the body. It must be answered
 * before the end of world_run, once and well; its answer is appended to
 * world_answers as "STATUS NAME BODY\n". Returns false when it is no request.
 */
extern bool world_request(const uint8_t *text, size_t length);

extern Buffer world_answers;

/* Empties what was received and answered. */
extern void world_forget(void);

#endif							/* IOTDATA_TEST_WORLD_H */
