/* Depends on openapi.yaml: the Makefile says so. */
#include "server/embedded.h"

__asm__(".section .rodata\n"
        ".global embedded_openapi_begin\n.global embedded_openapi_end\n"
        ".type embedded_openapi_begin, @object\n"
        "embedded_openapi_begin:\n.incbin \"openapi.yaml\"\nembedded_openapi_end:\n.byte 0\n"
        ".size embedded_openapi_begin, embedded_openapi_end - embedded_openapi_begin\n"
        ".previous\n"
        ".section .note.GNU-stack,\"\",@progbits\n.previous\n");

extern const char embedded_openapi_begin[], embedded_openapi_end[];

struct bytes embedded_openapi(void)
{
    return (struct bytes){embedded_openapi_begin, (size_t)(embedded_openapi_end - embedded_openapi_begin)};
}
