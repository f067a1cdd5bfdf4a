#include <stddef.h>
#include <stdio.h>
#include <string.h>

/** Copies the text at the first `key` behind `json`, as it is there; for more than that, take a library such as cJSON. */
static inline const char *json_text(const char *json, const char *key, char *text, size_t size) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
  const char *from = json == NULL ? NULL : strstr(json, wanted);
  if (from == NULL) return NULL;
  from += strlen(wanted);
  size_t length = 0;
  while (from[length] != '"' && from[length] != '\0' && length + 1 < size) {
    length += from[length] == '\\' ? 2 : 1;
  }
  memcpy(text, from, length);
  text[length] = '\0';
  return text;
}
