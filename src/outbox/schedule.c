/*
 * schedule.c
 *		What becomes of a message after an attempt to send it.
 */
#include "outbox/schedule.h"

IotDataOutboxVerdict
iotdata_outbox_judge(const IotDataOutboxAttempt *attempt)
{
	int			status = attempt->http_status;

	if (status == 0)
		return attempt->sent ? IOTDATA_OUTBOX_RETRY : IOTDATA_OUTBOX_HOLD;
	if (status / 100 == 2)
		return IOTDATA_OUTBOX_DELIVERED;
	if (status >= 500)
		return IOTDATA_OUTBOX_RETRY;
	if (status == 404)
		return attempt->not_found ? IOTDATA_OUTBOX_RETRY : IOTDATA_OUTBOX_HOLD;
	/* wrong credentials, a quota, a time-out, and whoever redirects */
	if (status == 401 || status == 429 || status == 408 || status < 400)
		return IOTDATA_OUTBOX_HOLD;
	return IOTDATA_OUTBOX_FAILED;
}

bool
iotdata_outbox_is_unknown(const IotDataOutboxAttempt *attempt)
{
	return attempt->sent && (attempt->http_status == 0 || attempt->http_status >= 500);
}

int64_t
iotdata_outbox_delay(int attempts, int64_t first, int64_t longest)
{
	int64_t		delay = first;

	for (int i = 1; i < attempts && delay < longest; i++)
		delay *= 2;
	return delay < longest ? delay : longest;
}
