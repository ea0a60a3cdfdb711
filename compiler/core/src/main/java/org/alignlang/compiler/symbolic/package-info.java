/**
 * Exact algebra in one positive variable, and what follows from a divergence's generator.
 *
 * <p>A divergence is declared by one line, {@code f(u) = ...} with {@code D(p || q) = E_q[f(p /
 * q)]}. {@link org.alignlang.compiler.symbolic.Sum} holds such an expression in a normal form;
 * {@link org.alignlang.compiler.symbolic.DivergenceCalculus} derives everything else from it.
 */
@NullMarked
package org.alignlang.compiler.symbolic;

import org.jspecify.annotations.NullMarked;
