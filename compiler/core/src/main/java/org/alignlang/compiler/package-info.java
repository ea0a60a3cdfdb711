/** The Align compiler; a package per phase. */
@NullMarked
package org.alignlang.compiler;

import org.jspecify.annotations.NullMarked;
