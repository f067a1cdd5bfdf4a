// The world millrace:step (wit/step.wit in the package millrace) as a module has it. Include it in one file.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *at;
  size_t length;
} step_text;

typedef struct {
  bool some;
  step_text value;
} step_option;

/// `data`, `user` and `attributes` are JSON; `ts` is in milliseconds since 1970.
typedef struct {
  step_text id, name, data;
  step_option user;
  uint64_t ts;
  step_option v, attributes;
} step_event;

typedef struct {
  step_text step, output;
} step_output;

typedef struct {
  step_text run_id, function_id, function_version, step_id;
  uint32_t attempt;
  uint64_t deadline;
  step_text idempotency_key;
  step_option user, traceparent, failure;
} step_context;

typedef struct {
  step_event event;
  const step_output *steps;
  size_t step_count;
  step_context ctx;
} step_input;

typedef struct {
  bool failed;
  union {
    step_text output;
    struct {
      /// Failed for good; tried again else, after so many milliseconds if there are some.
      bool fatal;
      struct {
        step_text message;
        struct {
          bool some;
          uint64_t ms;
        } after;
      } retry;
    } failure;
  } is;
} step_result;

enum { STEP_TRACE, STEP_DEBUG, STEP_INFO, STEP_WARN, STEP_ERROR };

__attribute__((import_module("millrace:step/log@0.1.0"), import_name("log"))) void step_log(
    uint32_t level, const char *message, size_t length);

/// What the step is: the result is read before anything else happens.
__attribute__((export_name("millrace:step/handler@0.1.0#run"))) step_result *step_run(const step_input *input);

__attribute__((export_name("cabi_realloc"))) void *step_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old_size;
  (void)align;
  return realloc(old, size);
}
