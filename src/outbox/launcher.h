/*
 * launcher.h
 *		The background worker that starts those that send.
 */
#ifndef IOTDATA_OUTBOX_LAUNCHER_H
#define IOTDATA_OUTBOX_LAUNCHER_H

/* Register it. Called once, while the library is being preloaded. */
extern void iotdata_outbox_launcher_init(void);

#endif							/* IOTDATA_OUTBOX_LAUNCHER_H */
