/*
 * jit.h
 *		Keeps PostgreSQL from compiling a query that only waits.
 */
#ifndef IOTDATA_JOIN_JIT_H
#define IOTDATA_JOIN_JIT_H

/* Put the hook in place. Called once, at load. */
extern void iotdata_jit_init(void);

#endif							/* IOTDATA_JOIN_JIT_H */
