/** The align command. */
@NullMarked
package org.alignlang.cli;

import org.jspecify.annotations.NullMarked;
