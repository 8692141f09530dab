# shellcheck shell=bash disable=SC2034
# How test/run.sh runs everything with memory that the C library overwrites as it is freed, and fills
# as it is allocated, so that what is read too late or too early is not what it was; test/perturb.sh
# gives this file to it.

SERVER_ENVIRONMENT=(MALLOC_PERTURB_=165)
unit_environment=("${SERVER_ENVIRONMENT[@]}")
tap_environment=("${SERVER_ENVIRONMENT[@]}")
