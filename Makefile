# iotdata: the AWS IoT Data Plane in SQL.
#
#   make, make install, make installcheck    as with any PostgreSQL extension
#   make emulator                            the local endpoint
#   make check                               the tests, in a scratch cluster
#   make check-all                           every kind of test there is
#   make fuzz, make coverage                 each fuzz target for a minute; what the tests reach
#   make indent                              C files in PostgreSQL's format; test/static.sh checks it
#   make bench                               speed and memory, measured
#   make demo                                SQL talking to real MQTT clients
#   make dist, make deb                      into dist/: an archive of what is committed; Debian
#                                            packages

EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" iotdata.control)

ifneq ($(filter check check-all fuzz coverage indent bench demo dist deb,$(MAKECMDGOALS)),)

# These build in a folder of their own, if they build, and install nothing.
.PHONY: check check-all fuzz coverage indent bench demo dist deb
check:
	test/run.sh
check-all:
	test/run.sh --all
fuzz:
	test/fuzz.sh
coverage:
	test/coverage.sh
indent:
	test/static/indent.pl
bench:
	test/bench/run.sh
demo:
	demo/run.sh
# META.json has this version: PGXN's have three parts
dist: ARCHIVE = iotdata-$(EXTVERSION).0
dist:
	mkdir -p dist
	TZ=UTC git archive --format=zip --prefix=$(ARCHIVE)/ -o dist/$(ARCHIVE).zip HEAD
deb:
	debian/deb.sh

else

EXTENSION = iotdata

MODULE_big = iotdata
OBJS := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
DATA := $(wildcard sql/iotdata--*.sql)
DATA_built = iotdata--$(EXTVERSION).sql

REGRESS := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --encoding=UTF8 --load-extension=iotdata

PKG_CONFIG ?= pkg-config
LIBRARIES = libcurl libcrypto libxml-2.0

PG_CPPFLAGS = -I$(CURDIR)/src -DIOTDATA_VERSION='"$(EXTVERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBRARIES))
# unused parameters are those of callbacks, PostgreSQL's own headers' too
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs $(LIBRARIES)) -lm

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

iotdata--$(EXTVERSION).sql: sql/iotdata.sql iotdata.control
	cp $< $@

# every object knows every header: there are few, and a stale one is worse
$(OBJS): $(wildcard src/*.h src/*/*.h) iotdata.control

.PHONY: emulator clean-emulator
emulator:
	$(MAKE) -C emulator

clean: clean-emulator
clean-emulator:
	$(MAKE) -C emulator clean

endif
