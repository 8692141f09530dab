# iotdata: the AWS IoT Data Plane in SQL.
#
#   make, make install, make installcheck    as with any PostgreSQL extension
#   make emulator                            the local endpoint
#   make check                               all tests, in a scratch cluster
#   make bench                               speed and memory, measured
#   make demo                                SQL talking to real MQTT clients

ifneq ($(filter check bench demo,$(MAKECMDGOALS)),)

# These build in a folder of their own, and install nothing.
.PHONY: check bench demo
check:
	test/run.sh
bench:
	test/bench/run.sh
demo:
	demo/run.sh

else

EXTENSION = iotdata
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" iotdata.control)

MODULE_big = iotdata
OBJS := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
DATA := $(wildcard sql/iotdata--*.sql)

REGRESS := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --encoding=UTF8 --load-extension=iotdata

PKG_CONFIG ?= pkg-config
LIBRARIES = libcurl libcrypto json-c

PG_CPPFLAGS = -I$(CURDIR)/src -DIOTDATA_VERSION='"$(EXTVERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBRARIES))
# unused parameters are those of callbacks, PostgreSQL's own headers' too
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs $(LIBRARIES))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# every object knows every header: there are few, and a stale one is worse
$(OBJS): $(wildcard src/*.h src/*/*.h) iotdata.control

.PHONY: emulator clean-emulator
emulator:
	$(MAKE) -C emulator

clean: clean-emulator
clean-emulator:
	$(MAKE) -C emulator clean

endif
