/*
 * shared_quota_test.c
 *		Servers that do not know of each other share a quota: each has a token
 *		bucket of its own, and learns from 429s alone what the others take.
 *
 * A simulation in steps of a millisecond. The service has a bucket, too, of a
 * quota of 100 a second that holds a second's worth. A server has up to 64
 * requests in flight, each on its way for 15 to 25 ms, and makes a throttled
 * one again after a random time.
 */
#include <math.h>
#include <stdlib.h>

#include "unit.h"

#include "aws/token_bucket.h"

#define QUOTA 100
#define SERVERS 20
#define SECONDS 200
#define IN_FLIGHT 64
#define BEGIN INT64_C(1000000000)
#define RUNS 5					/* that a mean is of */
#define EPSILON 1e-9			/* what a sum may be short of 1 */
#define WHEEL 32768				/* milliseconds that anything takes at most */

typedef struct Server
{
	int			rate;			/* nominal, a second */
	int			begins;			/* second */
	int			ends;
	IotDataTokenBucket bucket;
	int			busy;			/* in flight, or to be made again later */
	int			again;			/* to be made again now */
	int			answered[SECONDS];
} Server;

/* What becomes of a server's requests in a millisecond: how many do each. */
typedef struct Moment
{
	int			arrive[SERVERS];
	int			succeed[SERVERS];
	int			fail[SERVERS];
	int			repeat[SERVERS];
} Moment;

typedef struct World
{
	Server		servers[SERVERS];
	int			nservers;
	double		level;			/* of the service's bucket */
	int			throttled[SECONDS];
	int			at_slowest;		/* 429s that no slower pace would prevent */
} World;

static Moment wheel[WHEEL];

static Moment *
moment(int now, int delay)
{
	return &wheel[(now + delay) % WHEEL];
}

static int
random_below(int limit)
{
	return (int) (rand() / (RAND_MAX + 1.0) * limit);
}

static int
transit(void)
{
	return 8 + random_below(5);
}

/* The service answers what arrives, in any order. */
static void
serve(World *world, int now)
{
	world->level = fmin(world->level + QUOTA / 1000.0, QUOTA);
	for (int i = 0; i < world->nservers; i++)
	{
		for (; wheel[now % WHEEL].arrive[i] > 0; wheel[now % WHEEL].arrive[i]--)
		{
			if (world->level >= 1)
			{
				world->level -= 1;
				moment(now, transit())->succeed[i]++;
			}
			else
				moment(now, transit())->fail[i]++;
		}
	}
}

static void
take_answers(World *world, int i, int now)
{
	Server	   *server = &world->servers[i];
	Moment	   *this = &wheel[now % WHEEL];

	server->busy -= this->succeed[i];
	server->answered[now / 1000] += this->succeed[i];
	world->throttled[now / 1000] += this->fail[i];
	for (; this->fail[i] > 0; this->fail[i]--)
	{
		if (!iotdata_token_bucket_throttled(&server->bucket, server->rate, BEGIN + now * INT64_C(1000)))
			world->at_slowest++;
		moment(now, 1 + random_below(1000))->repeat[i]++;
	}
	server->again += this->repeat[i];
	this->succeed[i] = this->repeat[i] = 0;
}

static void
send_requests(Server *server, int i, int now)
{
	int64_t		wait;

	while ((server->again > 0 || server->busy < IN_FLIGHT) &&
		   iotdata_token_bucket_take(&server->bucket, server->rate, BEGIN + now * INT64_C(1000), &wait))
	{
		if (server->again > 0)
			server->again--;
		else
			server->busy++;
		moment(now, transit())->arrive[i]++;
	}
}

/* Servers of "rate" each that ask from the first second to the last. */
static World *
create_world(int nservers, int rate)
{
	World	   *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->nservers = nservers;
	world->level = QUOTA;
	for (int i = 0; i < nservers; i++)
		world->servers[i] = (Server) {.rate = rate, .ends = SECONDS};
	return world;
}

/* The seed decides all that is at random. */
static void
run(World *world, unsigned seed)
{
	srand(seed);
	memset(wheel, 0, sizeof(wheel));
	for (int now = 0; now < SECONDS * 1000; now++)
	{
		int			first = random_below(world->nservers);

		serve(world, now);
		for (int k = 0; k < world->nservers; k++)
		{
			int			i = (first + k) % world->nservers;
			Server	   *server = &world->servers[i];

			if (now == server->begins * 1000)
				iotdata_token_bucket_init(&server->bucket, server->rate, true, BEGIN + now * INT64_C(1000));
			take_answers(world, i, now);
			if (now >= server->begins * 1000 && now < server->ends * 1000)
				send_requests(server, i, now);
		}
	}
}

static int
answered(const World *world, int begin, int end)
{
	int			sum = 0;

	for (int i = 0; i < world->nservers; i++)
		for (int second = begin; second < end; second++)
			sum += world->servers[i].answered[second];
	return sum;
}

/* Of all requests, which were throttled? */
static double
throttled(const World *world, int begin, int end)
{
	int			sum = 0;

	for (int second = begin; second < end; second++)
		sum += world->throttled[second];
	return sum / (double) (sum + answered(world, begin, end));
}

/* Jain's index of fairness, the mean over windows of two seconds. */
static double
fairness(const World *world, int begin, int end)
{
	double		all = 0;

	for (int second = begin; second < end; second += 2)
	{
		double		sum = 0;
		double		squares = 0;

		for (int i = 0; i < world->nservers; i++)
		{
			double		share = world->servers[i].answered[second] +
				world->servers[i].answered[second + 1];

			sum += share;
			squares += share * share;
		}
		all += sum * sum / (world->nservers * squares);
	}
	return all / ((end - begin) / 2);
}

/* Servers that join 1,500 devices each at the same moment take that long. */
static int
join_seconds(int nservers)
{
	return nservers * 1500 / QUOTA < SECONDS ? nservers * 1500 / QUOTA : SECONDS;
}

/* How servers of the quota's rate do that begin at the same moment. */
typedef struct Share
{
	double		used;			/* of the quota, while all ask */
	double		throttled;		/* likewise */
	double		fair;			/* likewise */
	double		fair_later;		/* after 20 seconds */
} Share;

static Share
mean_share(int nservers)
{
	int			end = join_seconds(nservers);
	Share		mean = {0};

	for (unsigned seed = 1; seed <= RUNS; seed++)
	{
		World	   *world = create_world(nservers, QUOTA);

		run(world, seed);
		mean.used += answered(world, 0, end) / (double) (QUOTA * end) / RUNS;
		mean.throttled += throttled(world, 0, end) / RUNS;
		mean.fair += fairness(world, 0, end / 2 * 2) / RUNS;
		mean.fair_later += fairness(world, 20, SECONDS) / RUNS;
		assert_int_equal(world->at_slowest, 0);
		free(world);
	}
	return mean;
}

static void
servers_share_a_quota_fairly_and_are_seldom_throttled(void **state)
{
	static const struct
	{
		int			nservers;
		double		most_throttled;
		double		least_fair;
	}			cases[] = {
		{1, 0, 1}, {2, 0.03, 0.95}, {3, 0.03, 0.95}, {5, 0.03, 0.95}, {10, 0.08, 0.9}, {20, 0.15, 0.85}
	};

	(void) state;
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		Share		share = mean_share(cases[i].nservers);

		print_message("# %d servers, from the first moment: %.3f used, %.2f %% throttled, Jain's index of 2 s "
					  "%.3f; after 20 s: %.3f\n", cases[i].nservers, share.used, 100 * share.throttled,
					  share.fair, share.fair_later);
		assert_true(share.used >= 0.95);
		assert_true(share.throttled <= cases[i].most_throttled);
		assert_true(share.fair >= cases[i].least_fair - EPSILON);
		assert_true(share.fair_later >= cases[i].least_fair - EPSILON);
	}
}

static void
a_server_that_is_left_alone_is_soon_at_its_full_rate(void **state)
{
	(void) state;
	for (int nservers = 2; nservers <= SERVERS; nservers += 3)
	{
		World	   *world = create_world(nservers, QUOTA);
		int			second = 100;

		for (int i = 1; i < nservers; i++)
			world->servers[i].ends = 100;
		run(world, 4);
		while (second < SECONDS && world->servers[0].answered[second] < QUOTA * 95 / 100)
			second++;
		print_message("# %d servers, all but one leave: its full rate after %d s\n", nservers, second - 100);
		assert_true(second - 100 <= 15);
		free(world);
	}
}

static void
a_server_that_joins_gets_its_share(void **state)
{
	World	   *world = create_world(2, QUOTA);

	(void) state;
	world->servers[1].begins = 60;
	run(world, 4);
	assert_true(fairness(world, 80, SECONDS) >= 0.93);
	assert_true(throttled(world, 60, SECONDS) <= 0.02);
	free(world);
}

static void
a_rate_of_ten_times_the_quota_completes_and_leaves_room_for_others(void **state)
{
	World	   *world = create_world(1, 10 * QUOTA);
	int			others;

	(void) state;
	run(world, 4);
	assert_true(answered(world, 0, SECONDS) >= 0.95 * QUOTA * SECONDS);
	assert_true(throttled(world, 0, SECONDS) <= 0.05);
	assert_int_equal(world->at_slowest, 0);
	free(world);

	world = create_world(3, QUOTA);
	world->servers[0].rate = 10 * QUOTA;
	run(world, 4);
	others = answered(world, 20, SECONDS);
	for (int second = 20; second < SECONDS; second++)
		others -= world->servers[0].answered[second];
	print_message("# one of three with ten times the rate: the others have %.2f of the quota\n",
				  others / (double) (QUOTA * (SECONDS - 20)));
	assert_true(others >= 0.2 * QUOTA * (SECONDS - 20));
	assert_int_equal(world->at_slowest, 0);
	free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_share_a_quota_fairly_and_are_seldom_throttled),
		cmocka_unit_test(a_server_that_is_left_alone_is_soon_at_its_full_rate),
		cmocka_unit_test(a_server_that_joins_gets_its_share),
		cmocka_unit_test(a_rate_of_ten_times_the_quota_completes_and_leaves_room_for_others),
	};

	return cmocka_run_group_tests_name("shared_quota", tests, NULL, NULL);
}
