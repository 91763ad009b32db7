# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "espeakng-loader>=0.2",
#     "ipython>=8.12",
#     "matplotlib>=3.8",
#     "soundfile>=0.13",
#     "torch>=2.6",
# ]
#
# [tool.recurrent]
# concept = "speech features"
# ///

# %% [markdown]
# # From sound to 123 numbers a frame
#
# What the networks of Graves, Mohamed and Hinton, "Speech Recognition with Deep Recurrent Neural
# Networks" (2013), hear: forty filters and the energy of each short stretch of sound, and how fast
# these 41 numbers change. Frames of 25 ms, one every 10 ms, are what most programs use.

# %% imports
import ctypes
import math
from pathlib import Path

import espeakng_loader
import matplotlib.pyplot as plt
import soundfile
import torch
from IPython.display import Audio, display

torch.set_num_threads(1)
# Axis letters: T time (frames), D features, F frequencies.

# %% [markdown]
# ## A voice
#
# The sound comes from espeak-ng, a program that reads text aloud (its licence is GPL-3). The
# package `espeakng-loader` brings it as a library. It also says which phone begins at which sample.


# %% synthesiser
class Event(ctypes.Structure):
    """What espeak-ng reports beside the sound; type 7 is a phone, type 0 ends the list."""

    _fields_ = [(name, ctypes.c_int) for name in ("type", "identifier", "position", "length")]
    _fields_ += [("audio_position", ctypes.c_int), ("sample", ctypes.c_int)]
    _fields_ += [("user_data", ctypes.c_void_p), ("string", ctypes.c_char * 8)]


RECEIVER = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)


class Synthesiser:
    """The voices of espeak-ng; `rate` is the samples a second of their sound."""

    def __init__(self):
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(Path(espeakng_loader.get_data_path()).parent).encode()
        # 2: hand over the sound as it is made. 1 + 2: report phones, in the signs of the IPA.
        self.rate = self.library.espeak_Initialize(2, 0, data, 1 + 2)
        self.library.espeak_ng_SetRandSeed(1)  # else the clock seeds it, and no run repeats
        self.receiver = RECEIVER(self._receive)  # kept, for C does not own it

    def _receive(self, samples, count, events):
        if count > 0:
            self.sound += ctypes.string_at(samples, 2 * count)
        for event in events:
            if event.type == 0:
                return 0
            if event.type == 7:
                self.events.append((event.string.decode(), event.sample))

    def say(self, text, voice="en-us", speed=160, pitch=50, intonation=50):
        """Return the sound (N,) within ±1, and (phone, first sample) for each phone and pause.

        The speed is in words a minute; pitch and intonation go from 0 to 100. A pause has the name
        "". Raises ValueError for a voice that does not exist.
        """
        self.sound, self.events = bytearray(), []
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice!r}; en-us and en-us+f2 are two it has")
        for parameter, value in ((1, speed), (3, pitch), (4, intonation)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self.library.espeak_SetSynthCallback(self.receiver)
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, 0, 0, 1, None, None)
        return torch.frombuffer(self.sound, dtype=torch.int16) / 2**15, self.events


# %% [markdown]
# A line of Hamlet's. Listen to it, and read its phones in the signs of the International Phonetic
# Alphabet. `ˈ` stands before a stressed vowel, `ː` after a long one.

# %% an_utterance tags=["demo"] alt="A man's synthetic voice says: Speak the speech, I pray you."
synthesiser = Synthesiser()
rate = synthesiser.rate
sound, events = synthesiser.say("Speak the speech, I pray you.", voice="en-us+m3")
soundfile.write("speak_the_speech.mp3", sound.numpy(), rate, compression_level=0.9)
display(Audio(filename="speak_the_speech.mp3"))
sound_seconds = len(sound) / rate
phones = [phone for phone, _ in events if phone]
print(f"{len(sound):,} samples, {rate:,} a second: {sound_seconds:.2f} s")
print(f"{len(phones)} phones:", " ".join(phones))
assert sound.abs().max() <= 1
samples_a_phone = len(sound) / len(phones)

# %% [markdown]
# There are far more samples than phones. A network that reads sample by sample would have to carry
# a gradient over all of them, and few of them say anything that the one before did not.
#
# ## Filters as wide as the ear's
#
# The ear tells low tones apart better than high ones. The mel scale says how much better: equal
# steps on it sound equally far apart. Each filter is a triangle over frequency. It has its peak
# where its two neighbours end.


# %% mel_filters
def mel(frequency):
    """Return a frequency, a tensor in Hz, in mel."""
    return 1127 * torch.log1p(frequency / 700)


def mel_filters(frequencies, count=40, lowest=64.0, highest=8000.0):
    """Return the weight of each of F frequencies in each filter, (count, F).

    Frequencies are in Hz. The peaks are equally far apart in mel, and 1.
    """
    ends = mel(torch.tensor([lowest, highest]))
    edges = torch.linspace(*ends.tolist(), count + 2).div(1127).expm1() * 700  # back to Hz
    left, peak, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]  # each (count, 1)
    rising = (frequencies - left) / (peak - left)
    falling = (right - frequencies) / (right - peak)
    return torch.minimum(rising, falling).clamp(min=0)


# %% [markdown]
# Four things can be checked without a sound. Between the first peak and the last the filters add up
# to one. Each has its peak at the inverse of the mel formula. And the widths grow with the
# frequency.

# %% filters_in_closed_form tags=["demo"] alt="Triangles over frequency from 64 to 8,000 Hz, every third of the forty filters. The first are narrow and stand close together, the last are about ten times as wide."
frequencies = torch.arange(0, 8001.0)  # every hertz
filters = mel_filters(frequencies)
peaks = filters.argmax(1)
between = filters[:, peaks[0] : peaks[-1] + 1].sum(0)
assert (between - 1).abs().max() < 1e-3, between
steps = mel(peaks.float()).diff()
assert steps.std() < 0.01 * steps.mean(), steps  # a peak lies within 1 Hz
widths = (filters > 0).sum(1) + 1  # Hz
assert (widths.diff() >= -1).all(), widths
narrowest, widest = widths[0].item(), widths[-1].item()
print(f"the first filter is {narrowest} Hz wide, the last {widest} Hz")
assert widest > 9 * narrowest

for k in range(0, 40, 3):
    reach = filters[k].nonzero().flatten()
    corners = [reach[0] - 1, peaks[k], reach[-1] + 1]
    plt.plot(corners, [0, 1, 0], "--" if k % 2 else "-", color="C1", linewidth=1)
plt.xlabel("frequency (Hz)")
plt.ylabel("weight")
plt.show()

# %% [markdown]
# ## How fast a number changes
#
# A frame says what a moment sounds like. It does not say whether the tone rises or falls. So each
# number gets a companion, its slope: that of the straight line that fits five frames best. The
# slope of the slopes is the third set.


# %% deltas
def deltas(x, reach=2):
    """Return the slope of each feature at each frame, per frame; (T, D) to (T, D).

    It is the least-squares slope over 2 * reach + 1 frames; the first and last frame stand for
    those that are missing at the ends.
    """
    T = len(x)
    padded = torch.cat([x[:1].expand(reach, -1), x, x[-1:].expand(reach, -1)])
    steps = range(1, reach + 1)
    ahead = [padded[reach + k : reach + k + T] for k in steps]
    behind = [padded[reach - k : reach - k + T] for k in steps]
    parts = (k * (a - b) for k, a, b in zip(steps, ahead, behind, strict=True))
    return sum(parts) / (2 * sum(k * k for k in steps))


# %% [markdown]
# On curves whose slope is known it has to be exact, away from the ends.

# %% slopes_in_closed_form tags=["demo"]
t = torch.arange(20.0, dtype=torch.double)[:, None]
line, parabola = 3 + 0.5 * t, t**2
assert torch.equal(deltas(torch.ones_like(t)), torch.zeros_like(t))
assert (deltas(line)[2:-2] - 0.5).abs().max() < 1e-12
assert (deltas(parabola) - 2 * t)[2:-2].abs().max() < 1e-12
assert (deltas(deltas(parabola)) - 2)[4:-4].abs().max() < 1e-12
print("line     ", deltas(line)[:6, 0].tolist())
print("parabola ", deltas(parabola)[:6, 0].tolist())

# %% [markdown]
# At the first two frames it is not: two or one of the five frames are copies of the first.
#
# ## All of it
#
# Each frame is faded in and out by a window. Its Fourier transform gives the power at each
# frequency. The filters add the powers up, and a logarithm makes loud and soft comparable. The
# powers are scaled so that their sum is the mean square of the sound. So a sound has the same
# features at any rate of at least 16,000 samples a second.


# %% features
def power(sound, rate):
    """Return the power (F, T) of a sound (N,) in frames of 25 ms, and the frequencies (F,) in Hz.

    A frame begins every 10 ms; T is 1 + N // (samples in 10 ms). A frame's powers add up to the
    mean square of the sound in it.
    """
    size, step = round(0.025 * rate), round(0.010 * rate)
    bins = 2 ** math.ceil(math.log2(size))
    window = torch.hann_window(size)
    spectrum = torch.stft(sound, bins, step, size, window, return_complex=True)  # (F, T)
    scale = 2 / (bins * window.square().sum())  # 2: the negative frequencies are left out
    return spectrum.abs().square() * scale, torch.arange(bins // 2 + 1) * rate / bins


def features(sound, rate, floor=1e-8):
    """Return 123 features a frame, (T, 123): 40 filters and the energy, then two sets of slopes.

    The sound (N,) lies within ±1; `rate` is its samples a second; `floor` keeps the logarithm of
    silence finite. Raises ValueError for a rate below 16,000 or a sound shorter than a frame.
    """
    if rate < 16000:
        raise ValueError(f"{rate} samples a second hold no 8,000 Hz; 16,000 is the least")
    if len(sound) < 0.025 * rate:
        raise ValueError(f"{len(sound)} samples are too few; a frame has {round(0.025 * rate)}")
    powers, frequencies = power(sound, rate)
    filtered = torch.cat([mel_filters(frequencies) @ powers, powers.sum(0, keepdim=True)])
    static = (filtered + floor).log().T  # (T, 41)
    slopes = deltas(static)
    return torch.cat([static, slopes, deltas(slopes)], dim=1)


# %% [markdown]
# A pure tone of amplitude a has the mean square a² / 2, and belongs to one or two filters. Both can
# be read off. Does a rate of 16,000 give what 48,000 gives?

# %% a_pure_tone tags=["demo"]
amplitude, pitch = 0.5, 1000.0
at_rate = {}
for samples in (16000, 22050, 48000):
    t = torch.arange(samples, dtype=torch.double) / samples  # one second
    tone = (amplitude * torch.sin(2 * math.pi * pitch * t)).float()
    at_rate[samples] = features(tone, samples)[10:-10]  # (T, 123), away from the ends
    energy, loudest = at_rate[samples][:, 40], at_rate[samples][:, :40].argmax(1)
    print(f"{samples:6,} Hz: energy {energy.mean():.4f}, loudest filter {loudest[0] + 1}")
    assert (energy - math.log(amplitude**2 / 2)).abs().max() < 1e-3, energy
    assert (loudest == filters[:, int(pitch)].argmax()).all(), loudest
    assert at_rate[samples][:, 41:].abs().max() < 0.01  # a steady tone has no slope
rate_difference = (at_rate[16000] - at_rate[48000])[:, loudest[0]].abs().max().item()
assert rate_difference < 0.05, rate_difference

# %% [markdown]
# The energy is the logarithm of a² / 2 at each rate.
#
# ## What the network sees
#
# The line of Hamlet's again, as forty filters over time. Bright is loud. The phones stand where
# they begin. Look for the vowels, which are bands, and for `s` and `tʃ`, which are bright at the
# top.

# %% spectrogram tags=["demo"] alt="Forty filters over nearly two seconds, low tones at the bottom. Vowels are stacks of bright bands in the lower half. s and tʃ are bright at the top only. Before p and k the picture is dark."
x = features(sound, rate)  # (T, 123)
seconds = x.shape[0] / 100
plt.figure(figsize=(5.2, 2.6))
colours = {"cmap": plt.get_cmap("magma", 8), "interpolation": "none"}
extent = (0, seconds, 0.5, 40.5)
plt.imshow(x[:, :40].T.numpy(), origin="lower", aspect="auto", extent=extent, **colours)
for phone, sample in events:
    if phone:
        plt.text(sample / rate, 42, phone.strip("ˈˌ"), fontsize=10)
plt.grid(False)
plt.xlabel("seconds")
plt.ylabel("filter")
plt.show()
frames, dimensions = x.shape
assert (frames, dimensions) == (1 + len(sound) // round(0.010 * rate), 3 * (40 + 1))

starts = dict(reversed([(phone, sample / rate) for phone, sample in events if phone]))
hiss, vowel = (round(100 * starts[phone]) + 5 for phone in ("s", "ˈiː"))
assert x[hiss, 30:40].mean() > x[hiss, :10].mean() + 2
assert x[vowel, 30:40].mean() < x[vowel, :10].mean() - 2

# %% [markdown]
# A network should not have to learn that loud is common. So each of the 123 numbers is shifted and
# scaled: mean 0 and variance 1 over the training set. Here the set is one sentence.

# %% normalised tags=["demo"]
mean, std = x.mean(0), x.std(0, correction=0)
z = (x - mean) / std
assert z.mean(0).abs().max() < 1e-4
assert (z.square().mean(0) - 1).abs().max() < 1e-4
numbers_a_second = dimensions * 100
print(f"{frames} frames of {dimensions} numbers, instead of {len(sound):,} samples")
print(f"{numbers_a_second:,} numbers a second instead of {rate:,}")
