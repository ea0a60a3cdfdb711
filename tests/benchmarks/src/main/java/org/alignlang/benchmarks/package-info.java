/** Kernels beside libtorch, plain Java and what the memory allows. */
@NullMarked
package org.alignlang.benchmarks;

import org.jspecify.annotations.NullMarked;
