/** The compiler as one call. */
@NullMarked
package org.alignlang.compiler.driver;

import org.jspecify.annotations.NullMarked;
