// The peer of start_benchmark.cpp: links LibTorch and does nothing.
#include <ATen/Parallel.h>
int main() { return at::get_num_threads() > 0 ? 0 : 1; }
