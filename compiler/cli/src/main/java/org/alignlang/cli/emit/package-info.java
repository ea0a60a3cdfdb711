/** Printing what the phases of the compiler produced. */
@NullMarked
package org.alignlang.cli.emit;

import org.jspecify.annotations.NullMarked;
