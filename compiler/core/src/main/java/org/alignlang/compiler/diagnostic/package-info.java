/** Diagnostics as data, and how they are shown. */
@NullMarked
package org.alignlang.compiler.diagnostic;

import org.jspecify.annotations.NullMarked;
