// The algorithm of a node: GCRA (ITU-T I.371) with bounded debt, over a row of the slab's node table.
// src/core/meter/gcra-node.ts is its twin.
#ifndef HEADGATE_GCRA_NODE_H_
#define HEADGATE_GCRA_NODE_H_

#include <cstdint>

#include "slab_layout.h"

namespace headgate {

// A keyframe bigger than this share of the burst is judged as if it were this share. Without it
// one larger than the burst would never conform and the picture would stay black for ever; it is
// charged in full, so the rate holds all the same.
inline constexpr double KEYFRAME_SHARE = 0.75;

// Where a sender cannot be slowed, what always passes passes only while less than this share of the
// debt that is remembered is used up: video alone never gets so far, a flood of audio does.
inline constexpr double FLOOD_SHARE = 0.9;

/// A charge that leaves no debt.
inline constexpr double CONFORMING = -1;

// Cells that a second thread may write are read and written with the generic atomic built-ins
// (std::atomic_ref is C++20), comparing the 64-bit pattern. Relaxed is enough everywhere: each
// cell is a value of its own, nothing else is published through it, and every cell has one total
// order of modifications whatever the memory order.
inline double load(const double* cell) {
  double value;
  __atomic_load(cell, &value, __ATOMIC_RELAXED);
  return value;
}

inline void store(double* cell, double value) { __atomic_store(cell, &value, __ATOMIC_RELAXED); }

inline bool exchange(double* cell, double* expected, double desired) {
  return __atomic_compare_exchange(cell, expected, &desired, true, __ATOMIC_RELAXED,
                                   __ATOMIC_RELAXED);
}

inline void add(double* cell, double amount) {
  double seen = load(cell);
  while (!exchange(cell, &seen, seen + amount)) {
  }
}

// The control plane writes 0 to EXCEEDED when it has read it; an exchange keeps a bit that is
// raised between the two from being lost on this side.
inline void raise(double* cell, uint32_t bits) {
  double seen = load(cell);
  for (;;) {
    const double next = static_cast<double>(static_cast<uint32_t>(seen) | bits);
    if (next == seen || exchange(cell, &seen, next)) return;
  }
}

struct Charge {
  double tat;
  double delay;  // ms, or CONFORMING
};

// The algorithm itself. `now` going back finds tat ahead of it: nothing is refunded, and the
// bound of the debt keeps the wait finite.
inline Charge charge_from(double tat, const double* node, double cost, double now) {
  const double horizon = now + load(&node[node::TAU]);
  const double wanted = (tat > now ? tat : now) + cost * load(&node[node::INTERVAL]);
  const double bound = horizon + load(&node[node::DEBT_MAX]);
  const double next = wanted < bound ? wanted : bound;
  return {next, wanted <= horizon ? CONFORMING : next - horizon};
}

inline bool is_unlimited(const double* node) { return load(&node[node::INTERVAL]) == 0; }

inline bool is_closed(const double* node) { return load(&node[node::INTERVAL]) == __builtin_inf(); }

// A node of one stream is charged by one thread: no exchange. The control plane sets its rate meanwhile.
inline double charge_own(double* node, double cost, double now) {
  store(&node[node::CHARGED], node[node::CHARGED] + cost);
  store(&node[node::LAST_AT], now);
  if (is_unlimited(node)) return CONFORMING;
  if (is_closed(node)) return __builtin_inf();
  const Charge charge = charge_from(load(&node[node::TAT]), node, cost, now);
  store(&node[node::TAT], charge.tat);
  return charge.delay;
}

// Streams of several threads charge the same client, address and server.
inline double charge_shared(double* node, double cost, double now) {
  add(&node[node::CHARGED], cost);
  store(&node[node::LAST_AT], now);
  if (is_unlimited(node)) return CONFORMING;
  if (is_closed(node)) return __builtin_inf();
  double tat = load(&node[node::TAT]);
  for (;;) {
    const Charge charge = charge_from(tat, node, cost, now);
    if (exchange(&node[node::TAT], &tat, charge.tat)) return charge.delay;
  }
}

// What is owed at `now`, as a charge would answer. A limit of rate 0 holds whoever has met it.
inline double debt_of(const double* node, double now) {
  if (is_unlimited(node)) return CONFORMING;
  if (is_closed(node)) return load(&node[node::CHARGED]) > 0 ? __builtin_inf() : CONFORMING;
  const double horizon = now + load(&node[node::TAU]);
  const double bound = horizon + load(&node[node::DEBT_MAX]);
  const double tat = load(&node[node::TAT]);
  const double debt = (tat < bound ? tat : bound) - horizon;
  return debt > 0 ? debt : CONFORMING;
}

// Arrival time for a peek. A clock that went back leaves it out of reach; it is brought within
// the bound for good, as a charge would have done.
inline double bounded_tat(double* node, double now) {
  const double bound = now + load(&node[node::TAU]) + load(&node[node::DEBT_MAX]);
  double tat = load(&node[node::TAT]);
  while (tat > bound && !exchange(&node[node::TAT], &tat, bound)) {
  }
  return tat < bound ? tat : bound;
}

inline bool would_conform(double* node, double cost, double now, bool keyframe) {
  if (is_unlimited(node)) return true;
  if (is_closed(node)) return false;
  const double tau = load(&node[node::TAU]);
  const double tat = bounded_tat(node, now);
  double need = cost * load(&node[node::INTERVAL]);
  if (keyframe && need > KEYFRAME_SHARE * tau) need = KEYFRAME_SHARE * tau;
  return (tat > now ? tat : now) + need <= now + tau;
}

// The debt is nearly all that is remembered: more of the same would soon be forgiven.
inline bool is_flooded(const double* node, double now) {
  if (is_unlimited(node)) return false;
  if (is_closed(node)) return true;
  const double debt = load(&node[node::TAT]) - (now + load(&node[node::TAU]));
  return debt > FLOOD_SHARE * load(&node[node::DEBT_MAX]);
}

}  // namespace headgate

#endif  // HEADGATE_GCRA_NODE_H_
