/** Lagrange multipliers and how they move with their constraints. */
@NullMarked
package org.alignlang.runtime.dual;

import org.jspecify.annotations.NullMarked;
