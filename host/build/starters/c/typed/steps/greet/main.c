// A typed step exports millrace:step/handler: it gets its input as records, and returns its output as JSON text.
#include "../json.h"
#include "step.h"

step_result *step_run(const step_input *input) {
  static step_result result;
  static char output[512];
  char data[256] = "", buffer[128], message[256];
  size_t length = input->event.data.length;
  if (length >= sizeof data) {
    result.failed = result.is.failure.fatal = true;
    result.is.failure.retry.message = (step_text){"the event's data is too long", 28};
    return &result;
  }
  memcpy(data, input->event.data.at, length);
  const char *name = json_text(data, "name", buffer, sizeof buffer - 1);
  if (name == NULL) name = "world";
  int logged = snprintf(message, sizeof message, "greeting %s, attempt %u", name, (unsigned)input->ctx.attempt);
  step_log(STEP_INFO, message, (size_t)logged);
  int printed = snprintf(output, sizeof output, "{\"text\":\"Hello, %s!\"}", name);
  result.is.output = (step_text){output, (size_t)printed};
  return &result;
}
