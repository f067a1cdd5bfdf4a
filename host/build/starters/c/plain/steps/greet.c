// A step gets the event, the outputs of the steps before, and who runs this attempt, as JSON in its first argument and on
// stdin. What it prints is its output, stderr its log. 65 fails it for good; after any other it is tried again.
#include "json.h"

int main(int argc, char **argv) {
  if (argc < 2) return 65;
  char buffer[256];
  const char *name = json_text(strstr(argv[1], "\"data\":"), "name", buffer, sizeof buffer - 1);
  if (name == NULL) name = "world";
  fprintf(stderr, "greeting %s\n", name);
  printf("{\"text\":\"Hello, %s!\"}\n", name);
  return 0;
}
