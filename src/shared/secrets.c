/*
 * secrets.c
 *		Temporary credentials that all sessions may use: one finds them for all.
 */
#include "postgres.h"

#include "shared/secrets.h"
#include "shared/shared.h"

#define NSLOTS 16

typedef struct Slot
{
	uint8		key[IOTDATA_SECRETS_KEY_SIZE];
	TimestampTz claimed_at;
	IotDataSharedSecret secret; /* got_at 0: the slot is free */
} Slot;

Size
iotdata_secrets_area_size(void)
{
	return NSLOTS * sizeof(Slot);
}

void
iotdata_secrets_area_init(void *memory, Size size)
{
	memset(memory, 0, size);
}

/* With the area locked; NULL: there is none. */
static Slot *
find_slot(const uint8 *key)
{
	Slot	   *slots = iotdata_shared_area(IOTDATA_SHARED_SECRETS);

	for (Slot *slot = slots; slot < slots + NSLOTS; slot++)
	{
		if (slot->secret.got_at != 0 && memcmp(slot->key, key, sizeof(slot->key)) == 0)
			return slot;
	}
	return NULL;
}

/* Only what is used is copied. */
static void
copy_secret(IotDataSharedSecret *to, const IotDataSharedSecret *from)
{
	memcpy(to, from, offsetof(IotDataSharedSecret, bytes) + from->length);
}

bool
iotdata_secrets_find(const uint8 key[IOTDATA_SECRETS_KEY_SIZE], IotDataSharedSecret *secret)
{
	Slot	   *slot;

	if (!iotdata_shared_is_preloaded())
		return false;
	iotdata_shared_lock(IOTDATA_SHARED_SECRETS, LW_SHARED);
	slot = find_slot(key);
	if (slot != NULL)
		copy_secret(secret, &slot->secret);
	iotdata_shared_unlock(IOTDATA_SHARED_SECRETS);
	return slot != NULL;
}

/* The slot that was filled the longest ago, or never. */
static Slot *
oldest_slot(void)
{
	Slot	   *slots = iotdata_shared_area(IOTDATA_SHARED_SECRETS);
	Slot	   *oldest = slots;

	for (Slot *slot = slots + 1; slot < slots + NSLOTS; slot++)
	{
		if (slot->secret.got_at < oldest->secret.got_at)
			oldest = slot;
	}
	return oldest;
}

void
iotdata_secrets_store(const uint8 key[IOTDATA_SECRETS_KEY_SIZE], const IotDataSharedSecret *secret)
{
	Slot	   *slot;

	if (!iotdata_shared_is_preloaded())
		return;
	iotdata_shared_lock(IOTDATA_SHARED_SECRETS, LW_EXCLUSIVE);
	slot = find_slot(key);
	if (slot == NULL)
		slot = oldest_slot();
	explicit_bzero(slot, sizeof(*slot));
	memcpy(slot->key, key, sizeof(slot->key));
	copy_secret(&slot->secret, secret);
	iotdata_shared_unlock(IOTDATA_SHARED_SECRETS);
}

bool
iotdata_secrets_claim(const uint8 key[IOTDATA_SECRETS_KEY_SIZE], TimestampTz now, TimestampTz since)
{
	Slot	   *slot;
	bool		is_ours = true;

	if (!iotdata_shared_is_preloaded())
		return true;
	iotdata_shared_lock(IOTDATA_SHARED_SECRETS, LW_EXCLUSIVE);
	slot = find_slot(key);
	if (slot != NULL)
	{
		is_ours = slot->claimed_at <= since;
		if (is_ours)
			slot->claimed_at = now;
	}
	iotdata_shared_unlock(IOTDATA_SHARED_SECRETS);
	return is_ours;
}
