/** The one style in which Align is written: from a file to the same file, laid out. */
@NullMarked
package org.alignlang.compiler.format;

import org.jspecify.annotations.NullMarked;
