/*
 * listener.h
 *	  Listening sockets, and the MQTT ports.
 */
#ifndef EMULATOR_LISTENER_H
#define EMULATOR_LISTENER_H

#include <openssl/ssl.h>

/*
 * A listening, non-blocking socket; port 0 takes any that is free.  -1 with
 * errno set (EINVAL: not an address).
 */
extern int	listener_open(const char *address, int port);

/* Prints "NAME ADDRESS:PORT" on stdout. */
extern void listener_announce(const char *name, int fd);

/* Takes over the socket: MQTT clients from now on; tls is NULL for plain. */
extern void listener_start_mqtt(int fd, SSL_CTX *tls);
extern void listener_stop(void);

#endif							/* EMULATOR_LISTENER_H */
