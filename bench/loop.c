/* Deferred acceptance in plain C, one binary heap for each programme: the yardstick of the benchmark.
   The caller gives zeroed held[] and next[] = offsets[]; base[] lays out the heaps. */
#include <stdint.h>

typedef uint64_t key_t_;

int64_t match(int64_t children, const int64_t *offsets, const int32_t *programme, const uint8_t *tier,
              const uint32_t *ticket, const int32_t *places, const int64_t *base, key_t_ *heap, int32_t *held,
              int64_t *next, int32_t *placed) {
    int64_t asked = 0;
    for (int64_t start = 0; start < children; start++) {
        int64_t child = start;
        for (;;) {
            int64_t wish = next[child]++;
            if (wish == offsets[child + 1]) { placed[child] = -1; break; }
            asked++;
            int32_t p = programme[wish];
            key_t_ key = (key_t_)tier[wish] << 58 | (key_t_)ticket[child] << 26 | (key_t_)child;
            key_t_ *h = heap + base[p];
            int32_t count = held[p];
            if (count < places[p]) {
                int32_t at = count;
                while (at > 0 && h[(at - 1) / 2] < key) { h[at] = h[(at - 1) / 2]; at = (at - 1) / 2; }
                h[at] = key;
                held[p] = count + 1;
                placed[child] = p;
                break;
            }
            if (count == 0 || key > h[0]) continue;
            placed[child] = p;
            child = (int64_t)(h[0] & ((1u << 26) - 1));
            int32_t at = 0;
            for (int32_t below = 1; below < count; below = 2 * at + 1) {
                if (below + 1 < count && h[below + 1] > h[below]) below++;
                if (h[below] <= key) break;
                h[at] = h[below];
                at = below;
            }
            h[at] = key;
        }
    }
    return asked;
}
