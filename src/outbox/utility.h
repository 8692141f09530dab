/*
 * utility.h
 *		Commands that concern those who send the outbox's messages.
 */
#ifndef IOTDATA_OUTBOX_UTILITY_H
#define IOTDATA_OUTBOX_UTILITY_H

/* Watch commands. Called once, while the library is being preloaded. */
extern void iotdata_outbox_utility_init(void);

#endif							/* IOTDATA_OUTBOX_UTILITY_H */
