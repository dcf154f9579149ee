// Memory that all connections share. There is some only when the library is preloaded
// (shared_preload_libraries = 'auren'): whoever wants it has to do without, too.
//
//   Shared* shared = nullptr;  // stays so without preload
//
//   void Attach(void* memory, bool is_new) {
//     shared = static_cast<Shared*>(memory);
//     if (is_new) ...  // once per start of the server, while nobody else looks
//   }
//
//   pg::ShareMemory({"auren something", sizeof(Shared), Attach});  // when the library is loaded
#pragma once

#include "postgres/backend.h"

namespace auren::pg {

struct SharedMemory {
  const char* name;  // among all extensions
  size_t size;
  void (*attach)(void* memory, bool is_new);
};

// Asks for shared memory; `attach` is called when the server has it. Does nothing without preload.
// REQUIRES: called while the library is loaded.
void ShareMemory(const SharedMemory& memory);

}  // namespace auren::pg
