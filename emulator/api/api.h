/*
 * api.h
 *	  The Data Plane's operations over HTTP.
 */
#ifndef EMULATOR_API_H
#define EMULATOR_API_H

#include "api/api_options.h"
#include "http/http.h"

/* Keeps the pointer. */
extern void api_init(const ApiOptions *options);
extern void api_handle(HttpRequest *request);

#endif							/* EMULATOR_API_H */
