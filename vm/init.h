/* init.h - the VM's own start. */
#ifndef VM_INIT_H
#define VM_INIT_H

/** Once, before natives are registered and anything is compiled: the types and names the VM knows. Threads: one. */
void vm_init(void);

#endif
