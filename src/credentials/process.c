/*
 * process.c
 *		Credentials from a program that a profile names.
 *
 * Its command line may have secrets in it, so that messages show its first word
 * only. What it says on stderr when it fails is shown as AWS's clients show it,
 * but shortened, and without anything that is as long as a key.
 */
#include "postgres.h"

#include <sys/wait.h>

#include "aws/command_line.h"
#include "aws/json.h"
#include "credentials/child.h"
#include "credentials/document.h"
#include "credentials/process.h"
#include "credentials/profile_failed.h"
#include "credentials/secret.h"
#include "settings/settings.h"

#define LARGEST_OUTPUT (64 * 1024)
#define MOST_WORDS 256

/* Secret keys have 40 characters, and no token is shorter. */
#define SECRET_LENGTH 32

static bool
is_of_secret(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || (c != '\0' && strchr("+/=_-", c) != NULL);
}

/* Put dots in the place of what may be a secret. */
static void
hide_secrets(char *text)
{
	while (*text != '\0')
	{
		size_t		length = 0;

		while (text[length] != '\0' && is_of_secret(text[length]))
			length++;
		if (length >= SECRET_LENGTH)
			memset(text, '.', length);
		text += length > 0 ? length : 1;
	}
}

/* ", and said: ..." */
static const char *
show_errors(const IotDataChildResult *result)
{
	char	   *said = iotdata_secret_copy(result->errors, result->errors_length);

	hide_secrets(said);
	said = iotdata_profile_show(said);
	while (*said == ' ')
		said++;
	for (size_t length = strlen(said); length > 0 && said[length - 1] == ' '; length--)
		said[length - 1] = '\0';
	return *said == '\0' ? "" : psprintf(", and said: %s", said);
}

/* Why there is no output that can be used; a sentence, or NULL. */
static const char *
explain(const char *program, const IotDataChildResult *result)
{
	switch (result->end)
	{
		case IOTDATA_CHILD_NOT_STARTED:
			return psprintf("The program \"%s\" could not be started: %s.", program,
							strerror(result->error_number));
		case IOTDATA_CHILD_TIMED_OUT:
			return psprintf("The program \"%s\" did not end within %d ms, and was killed.",
							program, iotdata_request_timeout);
		case IOTDATA_CHILD_TOO_MUCH:
			return psprintf("The program \"%s\" printed more than 64 kB, and was killed.",
							program);
		case IOTDATA_CHILD_LOST:
			return psprintf("It could not be learned how the program \"%s\" ended.",
							program);
		case IOTDATA_CHILD_ENDED:
			break;
	}
	if (WIFSIGNALED(result->status))
		return psprintf("The program \"%s\" was ended by signal %d%s.", program,
						WTERMSIG(result->status), show_errors(result));
	if (WEXITSTATUS(result->status) != 0)
		return psprintf("The program \"%s\" ended with status %d%s.", program,
						WEXITSTATUS(result->status), show_errors(result));
	return NULL;
}

static const char *
take_output(const char *program, const IotDataChildResult *result,
			IotDataCredentialsValues *values)
{
	IotDataJsonValue root;
	const char *why = iotdata_credentials_document(result->out, result->out_length,
												   "SessionToken", values, &root);

	if (root.type == IOTDATA_JSON_OBJECT)
	{
		IotDataJsonValue version = iotdata_json_member(root, "Version");

		if (version.type != IOTDATA_JSON_INTEGER || version.integer != 1)
			why = "Its \"Version\" is not 1.";
	}
	return why == NULL ? NULL :
		psprintf("The output of the program \"%s\" cannot be used. %s", program, why);
}

IotDataCredentialsResult
iotdata_process_get(const char *command, const char *place,
					IotDataCredentialsValues *values, IotDataFailure *failure)
{
	char	   *words[MOST_WORDS + 1];
	size_t		count;
	IotDataCommandLineStatus status;
	IotDataChildResult result;
	const char *program;
	const char *why;

	status = iotdata_command_line_split(iotdata_secret_copy(command, strlen(command)),
										words, MOST_WORDS, &count);
	if (status != IOTDATA_COMMAND_LINE_OK)
		return iotdata_profile_failed(failure, place,
									  psprintf("Its command line cannot be split into words: %s",
											   iotdata_command_line_explain(status)),
									  NULL);
	if (count == 0)
		return iotdata_profile_failed(failure, place, "It names no program.", NULL);
	words[count] = NULL;
	program = iotdata_profile_show(words[0]);
	result = iotdata_child_run(words, iotdata_request_timeout, LARGEST_OUTPUT);
	why = explain(program, &result);
	if (why == NULL)
		why = take_output(program, &result, values);
	if (why != NULL)
		return iotdata_profile_failed(failure, place, why, NULL);
	return IOTDATA_CREDENTIALS_FOUND;
}
