/* init.c - the tables of the VM that are filled while starting. */
#include "config.h"

#include "vm/init.h"

#include "vm/call.h"
#include "vm/type.h"

void vm_init(void)
{
    vm_type_init();
    vm_call_init();
}
