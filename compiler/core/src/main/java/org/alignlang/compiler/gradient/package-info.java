/** Reverse-mode differentiation: from graph to graph. */
@NullMarked
package org.alignlang.compiler.gradient;

import org.jspecify.annotations.NullMarked;
