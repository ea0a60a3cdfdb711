/** Objectives and divergences as mathematics: as written, and as the compiler derived them. */
@NullMarked
package org.alignlang.compiler.explain;

import org.jspecify.annotations.NullMarked;
