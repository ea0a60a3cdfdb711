/**
 * Finite Markov decision processes and what can be computed of them exactly: values, optima,
 * occupancy measures and functionals of these, gradients, histories, linear programmes and games.
 */
@NullMarked
package org.alignlang.runtime.process;

import org.jspecify.annotations.NullMarked;
