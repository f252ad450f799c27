// These functions read options from JavaScript. Each struct lists its names once, in a function `visitOptions`. A name
// that is missing, unknown or of another type is an error; only a struct inside another may be missing. TypeScript code
// sets defaults and checks ranges.
#pragma once

#include <napi.h>

#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace dan::binding {

template <class Options>
Options parseOptions(Napi::Value value);

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;

class OptionReader {
 public:
  explicit OptionReader(Napi::Value value) : object_(value.As<Napi::Object>()) {
    if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "expected an object of options");
  }

  template <class T>
  void operator()(const char* name, T& into) {
    seen_.insert(name);
    const Napi::Value value = object_.Get(name);
    if constexpr (std::is_same_v<T, bool>) {
      if (!value.IsBoolean()) reject(name, "boolean");
      into = value.As<Napi::Boolean>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!value.IsString()) reject(name, "string");
      into = value.As<Napi::String>().Utf8Value();
    } else if constexpr (kIsOptional<T>) {
      if (!value.IsUndefined()) into = present<typename T::value_type>(name, value);
    } else if constexpr (std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<double>>) {
      if (!value.IsArray()) reject(name, "list");
      const auto array = value.As<Napi::Array>();
      for (uint32_t i = 0; i < array.Length(); ++i) {
        if constexpr (std::is_same_v<T, std::vector<double>>) {
          into.push_back(array.Get(i).ToNumber().DoubleValue());
        } else {
          into.push_back(array.Get(i).ToString().Utf8Value());
        }
      }
    } else {
      static_assert(std::is_arithmetic_v<T>);
      if (!value.IsNumber()) reject(name, "number");
      into = static_cast<T>(value.As<Napi::Number>().DoubleValue());
    }
  }

  void finish() {
    const Napi::Array names = object_.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const std::string name = names.Get(i).ToString().Utf8Value();
      if (seen_.count(name) == 0) throw Napi::TypeError::New(object_.Env(), "unknown native option " + name);
    }
  }

 private:
  template <class T>
  T present(const char* name, Napi::Value value) {
    if constexpr (std::is_arithmetic_v<T>) {
      T number{};
      (*this)(name, number);
      return number;
    } else {
      return parseOptions<T>(value);
    }
  }

  [[noreturn]] void reject(const char* name, const char* type) {
    throw Napi::TypeError::New(object_.Env(), std::string("expected a ") + type + " for the native option " + name);
  }
  Napi::Object object_;
  std::set<std::string> seen_;
};

template <class Options>
Options parseOptions(Napi::Value value) {
  Options options{};
  OptionReader reader(value);
  visitOptions(options, reader);
  reader.finish();
  return options;
}

template <class Options>
Napi::Array optionNames(Napi::Env env) {
  const Napi::Array names = Napi::Array::New(env);
  Options options{};
  const auto list = [&](const char* name, auto&) { names.Set(names.Length(), name); };
  visitOptions(options, list);
  return names;
}

}  // namespace dan::binding
