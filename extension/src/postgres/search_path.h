// Code that a SECURITY DEFINER function runs, or that is not the caller's, must not look names up
// where the caller says: between Pin and Unpin search_path is pg_catalog, pg_temp. An ERROR in
// between unpins.
#pragma once

namespace auren::pg {

int PinSearchPath();  // returns what to unpin
void UnpinSearchPath(int level);

}  // namespace auren::pg
