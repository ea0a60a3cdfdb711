/** Random numbers that depend on a seed and a place, never on the order of work. */
@NullMarked
package org.alignlang.runtime.random;

import org.jspecify.annotations.NullMarked;
