/** Source texts, positions in them, and where they are found. */
@NullMarked
package org.alignlang.compiler.source;

import org.jspecify.annotations.NullMarked;
