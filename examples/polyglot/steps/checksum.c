// The CRC-32 of what the step rank put out, as it stands in the input.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t crc32(const char *from, const char *to) {
  uint32_t crc = 0xffffffffu;
  for (; from < to; from++) {
    crc ^= (unsigned char)*from;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

int main(int argc, char **argv) {
  const char *top = argc < 2 ? NULL : strstr(argv[1], "\"top\":");
  const char *end = top == NULL ? NULL : strchr(top, ']');
  if (end == NULL) {
    fputs("the step rank put out no list\n", stderr);
    return 65;
  }
  printf("{\"crc32\":\"%08x\"}\n", crc32(top + strlen("\"top\":"), end + 1));
  return 0;
}
