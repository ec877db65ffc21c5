// SPDX-License-Identifier: GPL-2.0-or-later
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * A Java machine whose memory is moved: it makes objects, forgets some of them, so that
 * those that stay are moved about by the garbage collector, and looks again and again
 * whether all are still what they were.
 *
 * Usage: Victim SECONDS
 */
public final class Victim {
	private static final int NR_OBJECTS = 10_000;
	private static final int NR_BYTES = 1_000;

	private final Map<Integer, byte[]> objects = new HashMap<>();
	private final int[] versions = new int[NR_OBJECTS];

	private static byte valueAt(int key, int version, int index) {
		return (byte) (key * 31 + version * 17 + index);
	}

	private void make(int key) {
		byte[] object = new byte[NR_BYTES];

		versions[key]++;
		for (int i = 0; i < NR_BYTES; i++)
			object[i] = valueAt(key, versions[key], i);
		objects.put(key, object);
	}

	private void check(int key) {
		byte[] object = objects.get(key);

		for (int i = 0; i < NR_BYTES; i++)
			if (object[i] != valueAt(key, versions[key], i))
				throw new IllegalStateException(
					"object " + key + " has changed at " + i);
	}

	private void work(long endNanoseconds) {
		Random random = new Random(1);
		int rounds = 0;

		for (int key = 0; key < NR_OBJECTS; key++)
			make(key);
		while (rounds == 0 || System.nanoTime() < endNanoseconds) {
			for (int i = 0; i < NR_OBJECTS / 4; i++)
				make(random.nextInt(NR_OBJECTS));
			for (int key = 0; key < NR_OBJECTS; key++)
				check(key);
			rounds++;
		}
		System.out.println(rounds + " rounds");
	}

	/** Ends with 1 if an object has changed. */
	public static void main(String[] arguments) {
		long seconds = Long.parseLong(arguments[0]);

		new Victim().work(System.nanoTime() + seconds * 1_000_000_000L);
	}
}
