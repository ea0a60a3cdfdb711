/** What each phase of the compiler produced, as text to read. */
@NullMarked
package org.alignlang.compiler.emit;

import org.jspecify.annotations.NullMarked;
