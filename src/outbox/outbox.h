/*
 * outbox.h
 *		The outbox's place in the server.
 */
#ifndef IOTDATA_OUTBOX_H
#define IOTDATA_OUTBOX_H

/*
 * Watch transactions; and when the library is being preloaded, register the
 * launcher and watch what is done to databases. Called once, at load.
 */
extern void iotdata_outbox_init(void);

#endif							/* IOTDATA_OUTBOX_H */
