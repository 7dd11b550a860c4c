/* sim.c - the seeded run queue: an array, and a small generator (splitmix64) of our own, so that seeds mean the same
 * for ever. */
#include "config.h"

#include "scheduler/sim.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/vec.h"

#define SIM_MAGIC 0xd5581f02u

struct sched_sim {
    unsigned magic;
    uint64_t state;
    NB_VEC(struct vm_process *) waiting;
};

struct sched_sim *sched_sim_new(uint64_t seed)
{
    struct sched_sim *sim = nb_alloc_zero(sizeof *sim);

    if (sim == NULL)
        return NULL;
    sim->magic = SIM_MAGIC;
    sim->state = seed;
    return sim;
}

struct sched_sim *sched_sim_free(struct sched_sim *sim)
{
    if (sim == NULL)
        return NULL;
    nb_check_object(sim, SIM_MAGIC);
    nb_vec_done(&sim->waiting);
    sim->magic = 0;
    nb_free(sim);
    return NULL;
}

static uint64_t random_number(struct sched_sim *sim)
{
    uint64_t z = sim->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void sched_sim_push(struct sched_sim *sim, struct vm_process *process)
{
    nb_check_object(sim, SIM_MAGIC);
    nb_vec_push(&sim->waiting, process);
}

struct vm_process *sched_sim_take(struct sched_sim *sim)
{
    struct vm_process *process;
    size_t choice;

    nb_check_object(sim, SIM_MAGIC);
    if (sim->waiting.count == 0)
        return NULL;
    choice = random_number(sim) % sim->waiting.count;
    process = sim->waiting.items[choice];
    sim->waiting.items[choice] = nb_vec_last(&sim->waiting);
    (void)nb_vec_pop(&sim->waiting);
    return process;
}

size_t sched_sim_length(const struct sched_sim *sim)
{
    return sim->waiting.count;
}

int64_t sched_sim_slice(struct sched_sim *sim, int64_t most)
{
    int64_t slice = most >> random_number(sim) % 10;

    return slice < 1 ? 1 : slice;
}
