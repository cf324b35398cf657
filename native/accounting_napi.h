#ifndef HEADGATE_ACCOUNTING_NAPI_H_
#define HEADGATE_ACCOUNTING_NAPI_H_

#include <napi.h>

namespace headgate {

/// The class `AccountingProbe`: the accounting by itself, for tests and benchmarks.
Napi::Function define_accounting_probe(Napi::Env env);

}  // namespace headgate

#endif  // HEADGATE_ACCOUNTING_NAPI_H_
