/** Computations that experiments make in place of a training: analyses, exact solvers, planners. */
@NullMarked
package org.alignlang.runtime.study;

import org.jspecify.annotations.NullMarked;
